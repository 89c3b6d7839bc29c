/** Tokens of the API: what programs ask it with. */

import { queryOptions } from "@tanstack/react-query";

import { addressOf, everyPage } from "./endpoints";
import { request } from "./http";

export const SCOPES = ["read", "write", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

export interface Token {
  id: string;
  name: string;
  scope: Scope;
  /** Ids of the apps that it may see; null: all. */
  apps: string[] | null;
  created_at: string;
}

/** The only time that the token itself is shown. */
export interface NewToken extends Token {
  token: string;
}

export interface TokenWish {
  name: string;
  scope: Scope;
  apps: string[] | null;
}

const ROOT = "/tokens";

export const tokensApi = {
  make: (wish: TokenWish) => request<NewToken>(addressOf(ROOT), { method: "POST", body: wish }),
  revoke: (id: string) => request<void>(addressOf(`${ROOT}/${encodeURIComponent(id)}`), { method: "DELETE" }),
};

export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: ({ signal }) => everyPage<Token>(ROOT, {}, signal),
});
