import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";

import { type LiveFilter, liveStreamAddress } from "../../api/live";
import type { LiveChange, LiveTrouble, LiveWhole } from "../../api/liveTypes";
import { sessionQuery } from "../../api/queries";
import { backoff_ms } from "./backoff";
import { begun, changed, type LiveState } from "./liveState";

export type Connection =
  | { kind: "connecting" }
  | { kind: "open" }
  /** The server is there and cannot read: `message` says why. */
  | { kind: "trouble"; message: string }
  /** No stream; the next try is at `again_at`, epoch milliseconds. */
  | { kind: "lost"; again_at: number };

export interface LiveStream {
  state: LiveState | undefined;
  connection: Connection;
}

/**
 * The live view as the server pushes it. Another filter is another stream; what was seen before stays until it has
 * begun. While paused there is none.
 */
export function useLive(filter: LiveFilter, paused: boolean): LiveStream {
  const queryClient = useQueryClient();
  const address = useMemo(() => liveStreamAddress(filter), [filter]);
  const [state, setState] = useState<LiveState>();
  const [connection, setConnection] = useState<Connection>({ kind: "connecting" });
  useEffect(() => {
    if (paused) return;
    let stream: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;

    const lose = () => {
      stream?.close();
      const pause = backoff_ms(failures++);
      setConnection({ kind: "lost", again_at: Date.now() + pause });
      timer = setTimeout(connect, pause);
      // a stream does not say why it was refused; asking for the session leads to the login where that is over
      void queryClient.fetchQuery({ ...sessionQuery, staleTime: 0 }).catch(() => undefined);
    };
    const connect = () => {
      stream = new EventSource(address);
      stream.addEventListener("whole", (event: MessageEvent<string>) => {
        failures = 0;
        setConnection({ kind: "open" });
        setState(begun(JSON.parse(event.data) as LiveWhole));
      });
      stream.addEventListener("change", (event: MessageEvent<string>) => {
        setConnection((before) => (before.kind === "open" ? before : { kind: "open" }));
        setState((before) => before && changed(before, JSON.parse(event.data) as LiveChange));
      });
      stream.addEventListener("trouble", (event: MessageEvent<string>) => {
        const { message } = JSON.parse(event.data) as LiveTrouble;
        setConnection((before) =>
          before.kind === "trouble" && before.message === message ? before : { kind: "trouble", message },
        );
      });
      stream.addEventListener("end", lose);
      stream.addEventListener("error", lose);
    };
    setConnection({ kind: "connecting" });
    connect();
    return () => {
      clearTimeout(timer);
      stream?.close();
    };
  }, [address, paused, queryClient]);
  return { state, connection };
}
