import { useEffect, useState } from "react";

const EVERY_MS = 500;

/** The time, in ms since the epoch, for what moves although nothing new is told of it; it stands while nothing `runs`. */
export function useClock(runs: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!runs) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), EVERY_MS);
    return () => clearInterval(timer);
  }, [runs]);
  return now;
}
