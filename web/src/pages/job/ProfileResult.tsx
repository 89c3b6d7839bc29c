import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";

import { artifactQuery } from "../../api/queries";
import type { Job } from "../../api/types";
import { bytes, text } from "../../domain/format";
import { readOneOf } from "../../domain/search";
import { toolName } from "../../domain/tools";
import { useWords } from "../../i18n";
import { Empty } from "../../parts/Empty";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { PROFILE_VIEWS, ProfileView } from "../../parts/profile/ProfileView";
import { BadProfile, type Profile, type ProfileFile, profileOf } from "../../parts/profile/profile";
import { CompareChoice } from "./CompareChoice";
import classes from "./JobPage.module.css";

const route = getRouteApi("/in/tools/runs/$job");
const NAME = "profile.json";

/** The run's profile, alone or beside an earlier one's. */
export function ProfileResult({ job }: { job: Job }) {
  const { t } = useWords();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const now = useQuery(artifactQuery<ProfileFile>(job.id, NAME));
  const earlier = useQuery({
    ...artifactQuery<ProfileFile>(search.before ?? "", NAME),
    enabled: search.before !== undefined,
  });
  const profile = useRead(now.data);
  const before = useRead(search.before === undefined ? undefined : earlier.data);
  const size = job.artifacts.find(({ name }) => name === NAME)?.bytes;
  const broken = profile instanceof BadProfile ? profile : before instanceof BadProfile ? before : null;
  if (broken) {
    return (
      <Panel title={toolName(t, job.tool)}>
        <Empty title={t("profile.broken")}>{broken.message}</Empty>
      </Panel>
    );
  }
  const loading = (
    <Panel>
      <p className={classes.loading}>{t("job.loading", { name: NAME, size: text(bytes(size)) })}</p>
    </Panel>
  );
  const query = search.before !== undefined && earlier.error && !earlier.data ? earlier : now;
  const read = { data: query.error ? undefined : profile, error: query.error, refetch: query.refetch };
  return (
    <Loaded query={read as Parameters<typeof Loaded<Profile>>[0]["query"]} skeleton={loading}>
      {(ready) => (
        <ProfileView
          title={toolName(t, job.tool)}
          profile={ready}
          before={(before as Profile | undefined) ?? null}
          search={{ ...search, view: readOneOf(search.view, PROFILE_VIEWS) }}
          onSearch={(next) =>
            navigate({ search: (known) => ({ ...known, ...next }), replace: !("zoom" in next), resetScroll: false })
          }
          aside={
            <CompareChoice
              job={job}
              chosen={search.before}
              onChoose={(id) =>
                navigate({ search: (known) => ({ ...known, before: id, zoom: undefined }), resetScroll: false })
              }
            />
          }
        />
      )}
    </Loaded>
  );
}

function useRead(file: ProfileFile | undefined): Profile | BadProfile | undefined {
  return useMemo(() => {
    if (!file) return undefined;
    try {
      return profileOf(file);
    } catch (error) {
      if (error instanceof BadProfile) return error;
      throw error;
    }
  }, [file]);
}
