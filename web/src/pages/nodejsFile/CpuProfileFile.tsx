import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import { nodejsFileQuery } from "../../api/nodejs";
import type { NodejsFile } from "../../api/nodejsTypes";
import { duration, percent } from "../../domain/format";
import { readOneOf } from "../../domain/search";
import { useWords } from "../../i18n";
import { Figure, FigureRow } from "../../parts/Figure";
import { Loaded } from "../../parts/Loaded";
import { cpuProfileOf } from "../../parts/nodejs/cpuProfile";
import { RequestTable } from "../../parts/nodejs/RequestTable";
import { PROFILE_VIEWS, ProfileView } from "../../parts/profile/ProfileView";
import { BeforeChoice } from "./BeforeChoice";
import { Fetching } from "./Fetching";
import { useContent } from "./useContent";

const route = getRouteApi("/in/nodejs/files/$id");

/** Where the CPU's time went, alone or beside an earlier profile, and which requests were served meanwhile. */
export function CpuProfileFile({ file }: { file: NodejsFile }) {
  const { t } = useWords();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const now = useContent(file, cpuProfileOf);
  const other = useQuery({ ...nodejsFileQuery(search.before ?? 0), enabled: search.before !== undefined });
  const earlier = useContent(other.data, cpuProfileOf);
  const failed = search.before !== undefined && (other.error ?? earlier.error);
  const chosen = search.idle ? "whole" : "busy";
  return (
    <Loaded query={failed ? { ...earlier, error: failed, data: undefined } : now} skeleton={<Fetching file={file} />}>
      {(profile) => (
        <>
          <FigureRow>
            <Figure label={t("field.duration_ns")} of={duration(profile.duration_ms)} />
            <Figure label={t("nodejs.busy")} of={percent(1 - profile.idle_share)} />
            <Figure label={t("gc.type.all")} of={percent(profile.collecting_share)} />
            <Figure label={t("figure.requests")} of={{ value: String(profile.requests.length), unit: "" }} />
          </FigureRow>
          <ProfileView
            title={t("nodejs.kind.cpuprofile")}
            profile={profile[chosen]}
            before={(search.before !== undefined && earlier.data?.[chosen]) || null}
            search={{ ...search, view: readOneOf(search.view, PROFILE_VIEWS) }}
            onSearch={(next) =>
              navigate({ search: (known) => ({ ...known, ...next }), replace: !("zoom" in next), resetScroll: false })
            }
            aside={
              <>
                <Button
                  size="compact-xs"
                  variant={search.idle ? "light" : "default"}
                  aria-pressed={search.idle === true}
                  title={t("nodejs.idle.hint")}
                  onClick={() =>
                    navigate({
                      search: (known) => ({ ...known, idle: search.idle ? undefined : true, zoom: undefined }),
                      replace: true,
                      resetScroll: false,
                    })
                  }
                >
                  {t("nodejs.idle")}
                </Button>
                <BeforeChoice
                  file={file}
                  chosen={search.before}
                  onChoose={(before) =>
                    navigate({ search: (known) => ({ ...known, before, zoom: undefined }), resetScroll: false })
                  }
                />
              </>
            }
          />
          {profile.requests.length > 0 && (
            <RequestTable
              requests={profile.requests}
              sort={search.order ?? "-took"}
              onSort={(order) =>
                navigate({ search: (known) => ({ ...known, order }), replace: true, resetScroll: false })
              }
            />
          )}
        </>
      )}
    </Loaded>
  );
}
