import { useWords } from "../../i18n";
import { placeOf, shortPlaceOf } from "./frames";

/** File and line; the whole path on hover. Where there is little room, folders go first and the line never. */
export function Place({ file, line }: { file: string; line: number }) {
  const { t } = useWords();
  if (!file) return <span className="muted">{t("profile.kind.native")}</span>;
  const path = shortPlaceOf(file, 0);
  const name = path.slice(path.search(/[^/\\]*$/));
  const folders = path.slice(0, path.length - name.length);
  const number = line > 0 ? `:${line}` : "";
  return (
    <span className="mono" style={{ display: "flex" }} title={placeOf(file, line)}>
      <span className="ellipsis">{folders}</span>
      <span className="ellipsis" style={{ flexShrink: 0, maxWidth: `calc(100% - ${number.length}ch)` }}>
        {name}
      </span>
      <span>{number}</span>
    </span>
  );
}
