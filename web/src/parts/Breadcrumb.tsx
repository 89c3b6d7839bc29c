import type { ReactNode } from "react";

import { Name } from "./Name";

interface Props {
  /** A link to the page above. */
  parent: ReactNode;
  name: string;
  mark?: ReactNode;
}

/** Where this page stands. */
export function Breadcrumb({ parent, name, mark }: Props) {
  return (
    <>
      <span style={{ fontWeight: 400, whiteSpace: "nowrap" }}>{parent}</span>
      <span className="muted" aria-hidden="true">
        /
      </span>
      <Name mark={mark}>{name}</Name>
    </>
  );
}
