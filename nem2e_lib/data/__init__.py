"""From files to segmented cycles: storage files, exports, study folders, gait events, synthetic studies.

files, tables, netcdf, told
    Files read and written whole or not at all, tables that people type, labelled arrays on disk; what is told of many
    files.
muscles, families, model
    Names of muscles: what labels may mean, what families of models call them, those of an .osim file.
units
    What one of a unit is in m, N, N·m or V, by the names that laboratories give it.
labels, kinds, columns, gait
    Parts of a label; what is no muscle; columns that are muscles; contacts of a foot and cycles between them.
force
    Force files: plates, sides, and gait events of both feet.
storage
    OpenSim's .sto and .mot.
exports
    What the programs of amplifiers and cameras export, each format told by its first lines.
emg
    Raw EMG to envelopes.
study
    The study folder: settings, trials, signals.
cycles
    Its gait cycles, found and cut: ``cycles.nc``.
check, quality
    Every problem of a study folder, and what is doubtful in a sound one.
intake
    Study folders made of what a laboratory or an archive has.
open
    Recordings that lie in public repositories, fetched without a login.
synthetic
    Study folders made up, with what is true in them.
"""
