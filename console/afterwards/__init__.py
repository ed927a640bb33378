"""Verbs about closed cases: later calls, measures, forgetting a person, and a policy in hindsight."""
