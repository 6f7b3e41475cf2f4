"""Zones whose clocks change in ways that code forgets."""

NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"  # by half an hour
SAO_PAULO = "America/Sao_Paulo"  # until 2019, at midnight: some days had no 00:00
BEIRUT = "Asia/Beirut"  # at midnight still
HAVANA = "America/Havana"  # the first hour of a day comes twice
APIA = "Pacific/Apia"  # 2011-12-30 did not exist
