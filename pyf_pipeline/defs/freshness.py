"""How old what an asset has put out may get before the UI says that it is late.

Dagster looks at an asset's latest materialisation, whichever partition that was of: that one profile of several is left
behind is what a check of `partition_health` tells.
"""

from datetime import timedelta

import dagster as dg

DAY = timedelta(days=1)

# What people search is late after a day. A schedule that runs once a day may take its time, so that a failure is two.
DAILY = dg.FreshnessPolicy.time_window(warn_window=DAY, fail_window=2 * DAY)

# Stars and issues are asked for once a week.
WEEKLY = dg.FreshnessPolicy.time_window(warn_window=8 * DAY, fail_window=15 * DAY)
