import { getRouteApi } from "@tanstack/react-router";

import type { NodejsFile } from "../../api/nodejsTypes";
import { Loaded } from "../../parts/Loaded";
import { GcTraceView } from "../../parts/nodejs/GcTraceView";
import { gcTraceOf } from "../../parts/nodejs/gcTrace";
import { Fetching } from "./Fetching";
import { useContent } from "./useContent";

const route = getRouteApi("/in/nodejs/files/$id");

/** Collections. The trace has no date of its own: it began when it was asked for, but for the way to the process. */
export function GcTraceFile({ file }: { file: NodejsFile }) {
  const { sort = "time" } = route.useSearch();
  const navigate = route.useNavigate();
  const trace = useContent(file, gcTraceOf);
  return (
    <Loaded query={trace} skeleton={<Fetching file={file} />}>
      {(found) => (
        <GcTraceView
          trace={found}
          began={new Date(file.created_at).getTime()}
          sort={sort}
          onSort={(next) =>
            navigate({ search: (known) => ({ ...known, sort: next }), replace: true, resetScroll: false })
          }
        />
      )}
    </Loaded>
  );
}
