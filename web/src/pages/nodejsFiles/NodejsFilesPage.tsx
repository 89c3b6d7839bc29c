import { Button, NativeSelect, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";

import { nodejsInstancesQuery } from "../../api/nodejs";
import { appsQuery } from "../../api/queries";
import { FILE_KINDS } from "../../domain/nodejs";
import { useWords } from "../../i18n";
import { Breadcrumb } from "../../parts/Breadcrumb";
import type { NodejsFilesSearch } from "../../routes/nodejs";
import { Page } from "../../shell/Page";
import { FileList } from "./FileList";

const route = getRouteApi("/in/nodejs/files");

/** Everything that was made of Node.js processes, newest first. */
export default function NodejsFilesPage() {
  const { t } = useWords();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { app, agent, pid, kind, favourite } = search;
  const filter = useMemo(() => ({ app, agent, pid, kind, favourite }), [app, agent, pid, kind, favourite]);
  const apps = useQuery(appsQuery);
  const instances = useQuery(nodejsInstancesQuery);
  const change = (next: Partial<NodejsFilesSearch>) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  const choice = (values: readonly string[], chosen: string | undefined) => [
    ...new Set([...values, ...(chosen ? [chosen] : [])]),
  ];
  const appIds = choice(
    (instances.data ?? []).map((one) => one.app),
    app,
  );
  const agents = choice(
    (instances.data ?? []).filter((one) => !app || one.app === app).map((one) => one.agent),
    agent,
  );
  const select = { size: "xs", w: 170, clearable: true, searchable: true } as const;
  return (
    <Page
      title={t("nodejs.files")}
      heading={
        <Breadcrumb
          parent={
            <Link to="/nodejs" className="link">
              {t("nav.nodejs")}
            </Link>
          }
          name={t("nodejs.files")}
        />
      }
      tools={
        <>
          <Select
            {...select}
            aria-label={t("tools.app")}
            placeholder={t("tools.anyApp")}
            data={appIds.map((id) => ({ value: id, label: apps.data?.find((one) => one.id === id)?.name ?? id }))}
            value={app ?? null}
            onChange={(value) => change({ app: value ?? undefined, agent: undefined, pid: undefined })}
          />
          <Select
            {...select}
            aria-label={t("instance")}
            placeholder={t("nodejs.anyInstance")}
            data={agents}
            value={agent ?? null}
            onChange={(value) => change({ agent: value ?? undefined, pid: undefined })}
          />
          <NativeSelect
            size="xs"
            aria-label={t("kind")}
            value={kind ?? ""}
            onChange={(event) => change({ kind: FILE_KINDS.find((one) => one === event.currentTarget.value) })}
            data={[
              { value: "", label: t("nodejs.anyKind") },
              ...FILE_KINDS.map((one) => ({ value: one, label: t(`nodejs.kind.${one}`) })),
            ]}
          />
          <Button
            size="xs"
            variant={favourite ? "light" : "default"}
            aria-pressed={favourite === true}
            onClick={() => change({ favourite: favourite ? undefined : true })}
          >
            {t("nodejs.favourites")}
          </Button>
          {pid !== undefined && (
            <Button size="xs" variant="light" onClick={() => change({ pid: undefined })}>
              {t("job.pid", { pid })} ×
            </Button>
          )}
        </>
      }
    >
      <FileList filter={filter} />
    </Page>
  );
}
