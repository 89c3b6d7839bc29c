import type { NodejsFile } from "../../api/nodejsTypes";
import { Loaded } from "../../parts/Loaded";
import { DiagReportView } from "../../parts/nodejs/DiagReportView";
import { diagReportOf } from "../../parts/nodejs/diagReport";
import { Fetching } from "./Fetching";
import { useContent } from "./useContent";

/** What the process was doing when the report was made. */
export function DiagFile({ file }: { file: NodejsFile }) {
  const report = useContent(file, diagReportOf);
  return (
    <Loaded query={report} skeleton={<Fetching file={file} />}>
      {(found) => <DiagReportView report={found} />}
    </Loaded>
  );
}
