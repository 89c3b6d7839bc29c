import { Link } from "@tanstack/react-router";

import { useWords } from "../../i18n";
import { Empty } from "../../parts/Empty";

export function NotFoundPage() {
  const { t } = useWords();
  return (
    <main style={{ minHeight: "80dvh", display: "grid", placeItems: "center" }}>
      <Empty title={t("notFound.title")}>
        <Link to="/services" className="link">
          {t("notFound.home")}
        </Link>
      </Empty>
    </main>
  );
}
