"""C3D recordings: markers, force plates, EMG and events of a motion laboratory in one file.

head
    What a file promises: its counts, its processor, its parameters.
samples
    The samples, decoded and held against a second reader: `second`.
recording
    The same with units, clock, events and labels: `read_c3d`, `Recording`.
plates
    Force, centre of pressure and free moment of its force plates: `plate_forces`.
feet
    Which markers are on which foot.
axes
    From the laboratory's axes to OpenSim's: `find_axes`.
tables
    Markers, forces and channels of a recording as OpenSim's tables: `channel_table`, `forces_of`, `marker_table`.
export
    These tables of any C3D file, without a mapping: `export_c3d`.
contacts
    Which foot trod on which plate, from when to when, and why a contact cannot be used: `find_contacts`.
electrodes
    Which channels look like EMG.
mapping
    Which channel measures which muscle, who is who, which file is what: tables that a person edits.
convert
    Markers, forces, EMG and tables of them for OpenSim: `from_c3d`.
converted
    What was converted, read again after a person may have edited it: `read_converted`.
study
    A study folder of what was converted and then simulated: `study_of`.
"""
