"""Properties are judged by their outcome, never by how long this machine takes for an example."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
