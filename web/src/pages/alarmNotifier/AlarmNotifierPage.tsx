import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { notifierQuery } from "../../api/alarms";
import { appsQuery } from "../../api/queries";
import { useWords } from "../../i18n";
import { DeliveryPanel } from "../../parts/alarms/DeliveryPanel";
import { emptyNotifier } from "../../parts/alarms/notifierFields";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { Loaded } from "../../parts/Loaded";
import { ReportSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { NotifierEditor } from "./NotifierEditor";

const route = getRouteApi("/in/alarms/notifiers/$notifier");

/** One notifier: its form, what it would say, a test, and what it delivered. `new` is one that is still to be kept. */
export default function AlarmNotifierPage() {
  const { t, language } = useWords();
  const { notifier: id } = route.useParams();
  const isNew = id === "new";
  const notifier = useQuery({ ...notifierQuery(id), enabled: !isNew, refetchOnWindowFocus: false });
  const apps = useQuery(appsQuery);
  const name = isNew ? t("alarms.notifiers.new") : (notifier.data?.notifier.name ?? id);
  const parent = (
    <Link to="/alarms/notifiers" className="link">
      {t("alarms.tab.notifiers")}
    </Link>
  );
  return (
    <Page title={name} heading={<Breadcrumb parent={parent} name={name} />}>
      <Loaded query={apps} skeleton={<ReportSkeleton />}>
        {(known) =>
          isNew ? (
            <NotifierEditor apps={known} kept={null} start={emptyNotifier("webhook", language)} />
          ) : (
            <Loaded query={notifier} skeleton={<ReportSkeleton />}>
              {(kept) => <NotifierEditor key={kept.changed_at} apps={known} kept={kept} start={kept.notifier} />}
            </Loaded>
          )
        }
      </Loaded>
      {!isNew && <DeliveryPanel notifier={id} />}
    </Page>
  );
}
