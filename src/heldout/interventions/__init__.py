"""Interventions: small pieces that change how a population is trained."""
