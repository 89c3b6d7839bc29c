import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import { nodejsFileQuery } from "../../api/nodejs";
import type { NodejsFile } from "../../api/nodejsTypes";
import { readOneOf } from "../../domain/search";
import { useWords } from "../../i18n";
import { Loaded } from "../../parts/Loaded";
import { heapProfileOf } from "../../parts/nodejs/heapProfile";
import { PROFILE_VIEWS, ProfileView } from "../../parts/profile/ProfileView";
import { BeforeChoice } from "./BeforeChoice";
import { Fetching } from "./Fetching";
import { useContent } from "./useContent";

const route = getRouteApi("/in/nodejs/files/$id");

/** Who allocated what is still there, alone or beside an earlier profile. */
export function HeapProfileFile({ file }: { file: NodejsFile }) {
  const { t } = useWords();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const now = useContent(file, heapProfileOf);
  const other = useQuery({ ...nodejsFileQuery(search.before ?? 0), enabled: search.before !== undefined });
  const earlier = useContent(other.data, heapProfileOf);
  const failed = search.before !== undefined && (other.error ?? earlier.error);
  return (
    <Loaded query={failed ? { ...earlier, error: failed, data: undefined } : now} skeleton={<Fetching file={file} />}>
      {(profile) => (
        <ProfileView
          title={t("nodejs.kind.heapprofile")}
          profile={profile}
          before={(search.before !== undefined && earlier.data) || null}
          search={{ ...search, view: readOneOf(search.view, PROFILE_VIEWS) }}
          onSearch={(next) =>
            navigate({ search: (known) => ({ ...known, ...next }), replace: !("zoom" in next), resetScroll: false })
          }
          aside={
            <BeforeChoice
              file={file}
              chosen={search.before}
              onChoose={(before) =>
                navigate({ search: (known) => ({ ...known, before, zoom: undefined }), resetScroll: false })
              }
            />
          }
        />
      )}
    </Loaded>
  );
}
