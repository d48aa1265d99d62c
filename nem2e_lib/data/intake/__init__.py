"""Study folders made of what there is: a laboratory's folders, or downloaded archives.

new
    `new_study`: a folder filled in with what the files tell, doubts left to a person.
find, names
    Files told apart by their columns, and matched by the words of their paths.
archive
    `from_archive`: a study of archives, by a layout.
layout, source, match, convert
    Patterns of files (running.toml, walking.toml); files and zips that are not trusted; trials found by the patterns;
    their signals written.
simtk
    The paper's data sets: which files to fetch.
"""
