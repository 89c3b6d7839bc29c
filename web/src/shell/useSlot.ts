import { useEffect, useState } from "react";

/** The element of this id, once it is there. */
export function useSlot(id: string): HTMLElement | null {
  const [slot, setSlot] = useState<HTMLElement | null>(null);
  useEffect(() => setSlot(document.getElementById(id)), [id]);
  return slot;
}
