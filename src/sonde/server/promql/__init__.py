"""PromQL over our metrics: parsed by promql-parser, series computed by the store, the rest here.

Source of every rule: https://prometheus.io/docs/prometheus/latest/querying/ (version 3: windows are open to the left).
"""
