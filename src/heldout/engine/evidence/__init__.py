"""The expensive intermediates, each computed at most once and only when somebody asks.

Every file declares evidence by name; measures ask for it by parameter name. To add evidence, add a file.
"""
