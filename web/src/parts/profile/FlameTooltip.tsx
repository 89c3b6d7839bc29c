import { count, percent, type Quantity, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../Amount";
import { shareText, weightText } from "./amounts";
import classes from "./FlameGraph.module.css";
import type { FlameTree } from "./flameTree";
import { placeOf } from "./frames";
import { at } from "./profile";

interface Props {
  tree: FlameTree;
  node: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

const WIDTH_PX = 340;
const HEIGHT_PX = 150;

/** What there is to know of the box under the pointer. */
export function FlameTooltip({ tree, node, x, y, width, height }: Props) {
  const { t } = useWords();
  const { frames, unit, compared } = tree;
  const frame = at(tree.frame, node);
  const wide = Math.min(WIDTH_PX, width - 8);
  const left = Math.max(4, Math.min(x + 14, width - wide - 4));
  const below = y + 18 + HEIGHT_PX < height || y < HEIGHT_PX;
  const vertical = below ? { top: y + 18 } : { bottom: height - y + 10 };
  const all = at(tree.total, 0);
  return (
    <div className={classes.tooltip} style={{ left, width: wide, ...vertical }} role="tooltip">
      <div className={classes.tooltipName}>
        {frame < 0 ? t(tree.inverted ? "flame.allLeaves" : "flame.all") : frames.name[frame]}
      </div>
      {frame >= 0 && (
        <div className={classes.tooltipPlace}>
          {placeOf(frames.file[frame] as string, at(tree.line, node) || at(frames.line, frame)) || frames.module[frame]}
        </div>
      )}
      {compared ? (
        <dl className={classes.tooltipFigures}>
          <Changed
            label={t("flame.before")}
            weight={weightText(at(compared.before, node), unit)}
            share={shareText(at(compared.before, node), compared.beforeAll)}
          />
          <Changed
            label={t("flame.now")}
            weight={weightText(at(compared.now, node), unit)}
            share={shareText(at(compared.now, node), compared.nowAll)}
          />
          <One label={t("flame.change")} of={changeOf(tree, node)} />
        </dl>
      ) : (
        <dl className={classes.tooltipFigures}>
          <Changed
            label={t("flame.total")}
            weight={weightText(at(tree.total, node), unit)}
            share={shareText(at(tree.total, node), all)}
          />
          {!tree.inverted && (
            <Changed
              label={t("flame.self")}
              weight={weightText(at(tree.self, node), unit)}
              share={shareText(at(tree.self, node), all)}
            />
          )}
          {at(tree.samples, 0) > 0 && <One label={t("flame.samples")} of={count(at(tree.samples, node))} />}
        </dl>
      )}
    </div>
  );
}

/** In percentage points of everything. */
function changeOf({ compared }: FlameTree, node: number): Quantity {
  if (!compared || compared.beforeAll === 0 || compared.nowAll === 0) return percent(null);
  const change = at(compared.now, node) / compared.nowAll - at(compared.before, node) / compared.beforeAll;
  return { value: `${change > 0 ? "+" : change < 0 ? "−" : ""}${(Math.abs(change) * 100).toFixed(2)}`, unit: "pp" };
}

function One({ label, of }: { label: string; of: Quantity }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <Amount of={of} />
      </dd>
    </div>
  );
}

function Changed({ label, weight, share }: { label: string; weight: Quantity; share: Quantity }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <Amount of={weight} /> <span className="muted">{text(share)}</span>
      </dd>
    </div>
  );
}
