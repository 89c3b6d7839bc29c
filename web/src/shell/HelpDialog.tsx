import { Kbd, Modal } from "@mantine/core";

import { useWords } from "../i18n";
import type { Key } from "../i18n/en";
import { TEST_IDS } from "../testIds";
import classes from "./HelpDialog.module.css";
import { PLACES } from "./places";

const EVERYWHERE: [string[], Key][] = [
  [["/"], "help.search"],
  [["?"], "help.help"],
  [["Esc"], "help.close"],
];
const WATERFALL: [string[], Key][] = [
  [["↑", "↓"], "help.rows"],
  [["→"], "help.open"],
  [["←"], "help.fold"],
  [["+", "−", "0"], "help.zoom"],
  [["n", "N"], "help.matches"],
];

export function HelpDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useWords();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t("help.title")}
      size="lg"
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <div className={classes.columns} data-testid={TEST_IDS.help}>
        <section>
          <h3>{t("help.pages")}</h3>
          {PLACES.map(({ key, label, to }) => (
            <Row key={to} keys={["g", key]} label={t(label)} />
          ))}
          <h3>{t("help.everywhere")}</h3>
          {EVERYWHERE.map(([keys, label]) => (
            <Row key={label} keys={keys} label={t(label)} />
          ))}
        </section>
        <section>
          <h3>{t("help.waterfall")}</h3>
          {WATERFALL.map(([keys, label]) => (
            <Row key={label} keys={keys} label={t(label)} />
          ))}
          <h3>{t("help.mouse")}</h3>
          <p>{t("help.drag")}</p>
        </section>
      </div>
    </Modal>
  );
}

function Row({ keys, label }: { keys: string[]; label: string }) {
  return (
    <div className={classes.row}>
      <span>{label}</span>
      <span className={classes.keys}>
        {keys.map((key) => (
          <Kbd key={key} size="xs">
            {key}
          </Kbd>
        ))}
      </span>
    </div>
  );
}
