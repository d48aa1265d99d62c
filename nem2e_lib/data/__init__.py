"""From files to segmented cycles: storage files, study folders, gait events, synthetic studies."""
