import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

import { PLACES } from "./places";

/** How long after `g` its second key counts. */
const SEQUENCE_MS = 1500;

/** `g` and a letter: go to a page. `/`: to the page's search. `?`: help. Silent while somebody types. */
export function useShortcuts(showHelp: () => void): void {
  const navigate = useNavigate();
  const wentAt = useRef(0);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const now = event.timeStamp;
      const place = PLACES.find(({ key }) => key === event.key);
      if (now - wentAt.current < SEQUENCE_MS && place) {
        event.preventDefault();
        void navigate({ to: place.to });
        wentAt.current = 0;
      } else if (event.key === "g") wentAt.current = now;
      else if (event.key === "?") showHelp();
      else if (event.key === "/") {
        const search = document.querySelector<HTMLInputElement>("input[data-search]");
        if (!search) return;
        event.preventDefault();
        search.focus();
        search.select();
      }
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [navigate, showHelp]);
}

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
