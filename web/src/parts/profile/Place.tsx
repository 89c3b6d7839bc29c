import { useWords } from "../../i18n";
import { placeOf, shortPlaceOf } from "./frames";

/** File and line; the whole path on hover. */
export function Place({ file, line }: { file: string; line: number }) {
  const { t } = useWords();
  if (!file) return <span className="muted">{t("profile.kind.native")}</span>;
  return (
    <span className="ellipsis mono" title={placeOf(file, line)}>
      {shortPlaceOf(file, line)}
    </span>
  );
}
