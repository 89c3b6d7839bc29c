import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { nodejsFileQuery } from "../../api/nodejs";
import type { NodejsFile } from "../../api/nodejsTypes";
import { useWords } from "../../i18n";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { Loaded } from "../../parts/Loaded";
import { FileState } from "../../parts/nodejs/FileState";
import { Panel } from "../../parts/Panel";
import { ReportSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { TEST_IDS } from "../../testIds";
import { FileHead } from "./FileHead";
import classes from "./NodejsFilePage.module.css";
import { Viewer } from "./Viewer";

const route = getRouteApi("/in/nodejs/files/$id");

/** One file: what became of it, and what is in it. */
export default function NodejsFilePage() {
  const { t } = useWords();
  const { id } = route.useParams();
  const file = useQuery(nodejsFileQuery(Number(id)));
  const name = file.data ? t(`nodejs.kind.${file.data.kind}`) : t("job.file");
  return (
    <Page
      title={`${name} ${id}`}
      heading={
        <Breadcrumb
          parent={
            <>
              <Link to="/nodejs" className="link">
                {t("nav.nodejs")}
              </Link>
              <span className="muted"> / </span>
              <Link to="/nodejs/files" className="link">
                {t("nodejs.files")}
              </Link>
            </>
          }
          name={name}
        />
      }
    >
      <Loaded
        query={file}
        skeleton={<ReportSkeleton />}
        gone={{ title: t("nodejs.noSuchFile"), hint: t("nodejs.noSuchFile.hint") }}
      >
        {(data) => (
          <>
            <FileHead file={data} />
            {data.state !== "stored" && <Becoming file={data} />}
            {data.parts.length > 0 && <Viewer key={`${data.id} ${data.stored_at}`} file={data} />}
          </>
        )}
      </Loaded>
    </Page>
  );
}

/** It is on its way, or never came. */
function Becoming({ file }: { file: NodejsFile }) {
  const { t } = useWords();
  return (
    <Panel testId={TEST_IDS.nodejsBecoming}>
      <div className={classes.becoming}>
        <FileState file={file} />
        <p className="muted">{t(`nodejs.state.${file.state}.hint`)}</p>
        {file.message && <p>{file.message}</p>}
      </div>
    </Panel>
  );
}
