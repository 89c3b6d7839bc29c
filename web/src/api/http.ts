/** One request to the server: JSON in, JSON out, every failure an `ApiError` that a page can show. */

export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 when no answer came at all. */
    readonly status: number,
    /** The server's word for what happened, e.g. `not_found`. */
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

let csrfToken = "";

/** Remembers the token that cookie-authenticated writes must carry. */
export function setCsrfToken(token: string): void {
  csrfToken = token;
}

export interface RequestOptions {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  signal?: AbortSignal;
}

export async function request<T>(url: string, options: RequestOptions = {}): Promise<T> {
  const response = await answerOf(url, { Accept: "application/json" }, options);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** A file's bytes as they arrive. */
export async function download(url: string, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const response = await answerOf(url, {}, { signal });
  if (!response.body) throw new ApiError(response.status, "unexpected", "The answer is empty.");
  return response.body;
}

async function answerOf(
  url: string,
  headers: Record<string, string>,
  { method = "GET", body, signal }: RequestOptions,
): Promise<Response> {
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrfToken) headers["X-CSRF-Token"] = csrfToken;

  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      signal,
    });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, "unreachable", String(cause));
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string } };
    return new ApiError(response.status, error.code, error.message);
  } catch {
    // a proxy in between answers in its own way
    return new ApiError(response.status, "unexpected", text.slice(0, 300) || response.statusText);
  }
}
