import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";

import { type Range, type RangeSearch, rangeOf } from "../domain/range";

/** The time range in the address. A new one is a step back for the browser's back button. */
export function useRange(): {
  range: Range;
  setRange: (next: RangeSearch) => void;
  zoomTo: (from: number, to: number) => void;
} {
  const { range: span, from, to, refresh } = useSearch({ from: "/in" });
  const navigate = useNavigate();
  const range = useMemo(() => rangeOf({ range: span, from, to, refresh }), [span, from, to, refresh]);
  const setRange = useCallback(
    (next: RangeSearch) => {
      // each part is named, set or not: a part left out would be kept from before
      const search: RangeSearch = { range: next.range, from: next.from, to: next.to, refresh: next.refresh };
      void navigate({ to: ".", search: (before) => ({ ...before, ...search }) });
    },
    [navigate],
  );
  const zoomTo = useCallback(
    (start: number, end: number) => setRange({ from: start, to: end, refresh }),
    [setRange, refresh],
  );
  return { range, setRange, zoomTo };
}
