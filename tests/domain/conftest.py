from tests.domain import profiles

profiles.load()
