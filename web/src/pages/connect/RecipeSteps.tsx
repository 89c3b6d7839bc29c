import type { ConnectPorts } from "../../api/types";
import { useWords } from "../../i18n";
import type { Key } from "../../i18n/en";
import { Command } from "../../parts/Command";
import { HealthMark } from "../../parts/HealthMark";
import classes from "./ConnectPage.module.css";
import { type Credentials, filled, missingPort, type Recipe } from "./recipes";

interface Props {
  recipe: Recipe;
  ports: ConnectPorts;
  credentials: Credentials;
}

/** The lines of one kind of client, each with a button that copies them. */
export function RecipeSteps({ recipe, ports, credentials }: Props) {
  const { t } = useWords();
  const missing = missingPort(recipe, ports);
  return (
    <section className={classes.recipe} data-recipe={recipe.id}>
      <h3>{t(`connect.recipe.${recipe.id}` as Key)}</h3>
      {missing ? (
        <p className={classes.missing}>
          <HealthMark health="warn" /> {t("connect.noPort", { setting: `${missing}_port` })}
        </p>
      ) : (
        recipe.steps.map((step) => (
          <div key={step.say} className={classes.step}>
            <p>{t(`connect.say.${step.say}` as Key)}</p>
            <Command>{filled(step.text, window.location.origin, ports, credentials)}</Command>
          </div>
        ))
      )}
    </section>
  );
}
