"""Ground reaction force: the one reader of force files, and gait events of both feet.

names
    What labels say: plate, component, side.
plates
    `Plate`: what a file holds of each, gaps in swing taken as no force.
sides
    Which plates are under the right foot and which under the left: by name, else by the place of the pressure.
feet
    Vertical force of both feet: what gait events are found in.
baseline
    The zero of a plate, where swing shows it.
events
    Contacts of both feet and the cycles between them, each with the reason why it can be none.
"""
