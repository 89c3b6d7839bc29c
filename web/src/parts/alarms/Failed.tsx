import classes from "./Alarms.module.css";

/** Why the server did not do it, in its words. */
export function Failed({ error }: { error: Error | null }) {
  if (!error) return null;
  return (
    <p className={classes.failed} role="alert">
      {error.message}
    </p>
  );
}
