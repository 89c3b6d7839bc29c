"""Programs that block their event loop, each for one reason: `CAUSES` are the right verdicts, the lines to blame end
with `# stalls`. See run_one.py and bench/stalls_corpus.py.
"""
