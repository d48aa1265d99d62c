"""Study folders made of what there is: a laboratory's folders, or downloaded archives.

new
    `new_study`: a folder filled in with what the files tell, doubts left to a person.
find, names, partners
    Files told apart by their columns; what the words of a path tell; which files are therefore of one trial.
simulated
    What `nem2e simulate run` left among the files, and how good it was judged.
archive
    `from_archive`: a study of archives, by a layout.
layout, source, match, convert
    Patterns of files (running.toml, walking.toml); files and zips that are not trusted; trials found by the patterns;
    their signals written.
simtk
    The paper's data sets: which files to fetch.
"""
