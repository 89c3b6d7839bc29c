import { getRouteApi } from "@tanstack/react-router";

import type { Job } from "../../api/types";
import { readOneOf } from "../../domain/search";
import { toolName } from "../../domain/tools";
import { useWords } from "../../i18n";
import { Loaded } from "../../parts/Loaded";
import { PROFILE_VIEWS, ProfileView } from "../../parts/profile/ProfileView";
import { profileOf } from "../../parts/profile/profile";
import { BesideId } from "./Beside";
import { CompareChoice } from "./CompareChoice";
import { Loading } from "./Loading";
import { useArtifact } from "./useArtifact";

const route = getRouteApi("/in/tools/runs/$job");
const NAME = "profile.json";

/** The run's profile, alone or beside an earlier one's. */
export function ProfileResult({ job, title }: { job: Job; title?: string }) {
  const { t } = useWords();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const now = useArtifact(job.id, NAME, profileOf);
  const earlier = useArtifact(search.before, NAME, profileOf);
  const failed = search.before !== undefined && earlier.data === undefined && earlier.error !== null;
  return (
    <Loaded query={failed ? { ...earlier, data: undefined } : now} skeleton={<Loading job={job} name={NAME} />}>
      {(profile) => (
        <>
          {search.before !== undefined && <BesideId id={search.before} job={job} />}
          <ProfileView
            title={title ?? toolName(t, job.tool)}
            profile={profile}
            before={(search.before !== undefined && earlier.data) || null}
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
        </>
      )}
    </Loaded>
  );
}
