import { createContext, useContext } from "react";

/** Any page may open the dialog that says how a service is connected. */
export const ConnectContext = createContext<{ open: () => void } | null>(null);

export function useConnect(): { open: () => void } {
  const connect = useContext(ConnectContext);
  if (!connect) throw new Error("useConnect needs the shell above it");
  return connect;
}
