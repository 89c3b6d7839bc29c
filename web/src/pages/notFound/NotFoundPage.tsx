import { Link } from "@tanstack/react-router";

import { useWords } from "../../i18n";
import classes from "../../parts/Notice.module.css";

export function NotFoundPage() {
  const { t } = useWords();
  return (
    <main style={{ minHeight: "80dvh", display: "grid", placeItems: "center" }}>
      <div className={classes.notice}>
        <h1 className={classes.title}>{t("notFound.title")}</h1>
        <Link to="/services" className="link">
          {t("notFound.home")}
        </Link>
      </div>
    </main>
  );
}
