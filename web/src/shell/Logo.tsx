/** A probe hanging on its line, and the signal around it. */
export function Logo({ size = 20 }: { size?: number }) {
  return (
    <span style={{ display: "inline-flex", alignItems: "center", gap: 9 }}>
      <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
        <path d="M12 2v9" stroke="var(--s-accent)" strokeWidth="2" strokeLinecap="round" />
        <circle cx="12" cy="14.5" r="3" fill="var(--s-accent)" />
        <path
          d="M6 11a7 7 0 1 0 12 0"
          fill="none"
          stroke="var(--s-accent)"
          strokeWidth="1.8"
          strokeLinecap="round"
          opacity="0.6"
        />
      </svg>
      <span style={{ fontWeight: 650, fontSize: size * 0.8, letterSpacing: "-0.01em" }}>Sonde</span>
    </span>
  );
}
