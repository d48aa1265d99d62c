"""Every figure: functions of tables and results that return a `Drawn`, the figure with the data that it shows.

    from nem2e_lib import figures

    drawn = figures.error_boxes(errors, tukey, study="walking", letters="d", synthetic=True)
    drawn.data  # exactly what is drawn, tidy; drawn.title, drawn.alt and drawn.caption say it in words

They read no file and write none; `Run.show(drawn, name)` puts a figure and its CSV into the site.

===========  =======================  ===============  ============================================================
figure       figures.…                module           what it shows
===========  =======================  ===============  ============================================================
Figure 1     framework                schematics       from motion to refined activity
Figure 2     network                  schematics       the two networks
Figure 3     refined_curves           waveforms        simulated, refined and measured activity of a held-out unit
…            everybody                waveforms        the same of all held-out units: mean and spread
Figure 4     error_boxes              errors           Er per muscle and condition, with Tukey's stars
Figure 5     loss_curves              losses           training and validation loss over epochs
Figure 6     temporal_attention       temporal         attention over samples in time, beside the input gradient
Figure 7     spatial_attention        spatial          attention over muscles, as a map and on skeletons
ranking      ranking                  errors           mean Er of each condition and of the training-mean curve
cycles       cycle_timeline           cycles           where cycles lie in their trials, kept and skipped
…            cycle_waveforms          cycles           activation and EMG of the cycles that were kept
claim C11    shortcut                 changed_inputs   Er on inputs changed in frequency and phase
controls     control_errors           controls         Er of models that are fed with changed inputs
…            following                controls         how far outputs follow what is particular to a cycle
…            shift_errors             controls         Er over a shift of the input
…            shift_maps               controls         where the output goes when the input is moved
learning     learning_curves          learning         Er over the number of training cycles
…            generalising             learning         Er at a speed or a motion that training lacked
own cycles   own_cycles.own_cycles    own_cycles       Er over how many cycles of a person were known
leaderboard  leaderboard.leaderboard  leaderboard      Er of every method under the same folds
…            duels                    leaderboard      who beats whom
…            tried                    leaderboard      what was tried on the way to kernel ridge regression
timing       timing_errors            timing           errors of onset, offset, peak time and height, by muscle
…            timing_overview          timing           how far off each method is, mean over muscles
…            cocontraction            timing           co-contraction of antagonists, measured and estimated
…            mixed_contrasts          timing           contrasts of one model over muscles and people
…            normalisation            timing           Er under other normalisations of EMG
…            left_out                 timing           what a speed costs that is left out beside a person
attention    interventions            attention_tests  what Er becomes with other weights and other contexts
…            order_overlap            attention_tests  top tens under another order of the muscles
…            lag_against_delay        attention_tests  lags against the true delay
…            precision                attention_tests  share of the top ten that carries the information
…            error_and_entropy        attention_tests  Er against entropy, by encoder and score
…            agreement                attention_tests  attention against what outputs depend on
ablations    forest                   ablations        change in Er of every variant
…            levels                   ablations        Er over the options that are numbers
fields       fields.fields            fields           where in the cycle errors differ: SPM{t}
recording    postures                 recording        the model in motion, and the force on the ground
…            ground_force             recording        force over time, heel strikes and cycles
…            activations              recording        activation of some muscles by each method
…            refined_trial            recording        a trial refined, with its band
bands        calibration              bands            what a refiner's bands cover on those left out
laboratory   markers_over_time        laboratory       heels and toes of a C3D file over time, gaps of its markers
…            plates_and_feet          laboratory       force plates from above, and which foot trod on which
…            markers_on_model         laboratory       measured markers and the scaled model's in the static pose
…            marker_residuals         laboratory       what inverse kinematics leaves between them
…            beside_laboratory        laboratory       angles and moments beside the laboratory's own
…            activity_by_cycle        laboratory       activation, EMG and refined activity, cycle by cycle
===========  =======================  ===============  ============================================================

To add one, write a function under ``@styled`` in the module of its subject that begins with `style.new_figure` and
returns `Drawn`, and name it in `_FUNCTIONS`. What they share: `style` has the look, and colours and names of conditions
and methods; `panels` has grids, curves with bands and heat maps; `points` has dots, means and intervals; `body` has the
stick figure. Seaborn draws boxes, strips, points, curves and heat maps; intervals are computed by the analysis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nem2e_lib.lazy import on_first_use

if TYPE_CHECKING:
    from nem2e_lib.figures import (
        ablations,
        attention_tests,
        bands,
        body,
        changed_inputs,
        controls,
        cycles,
        errors,
        fields,
        laboratory,
        leaderboard,
        learning,
        losses,
        own_cycles,
        panels,
        points,
        recording,
        schematics,
        spatial,
        style,
        temporal,
        timing,
        waveforms,
    )
    from nem2e_lib.figures.ablations import forest, levels
    from nem2e_lib.figures.attention_tests import (
        agreement,
        error_and_entropy,
        interventions,
        lag_against_delay,
        order_overlap,
        precision,
    )
    from nem2e_lib.figures.bands import calibration
    from nem2e_lib.figures.changed_inputs import shortcut
    from nem2e_lib.figures.controls import control_errors, following, shift_errors, shift_maps
    from nem2e_lib.figures.cycles import cycle_timeline, cycle_waveforms
    from nem2e_lib.figures.errors import error_boxes, ranking
    from nem2e_lib.figures.laboratory import (
        activity_by_cycle,
        beside_laboratory,
        marker_residuals,
        markers_on_model,
        markers_over_time,
        plates_and_feet,
    )
    from nem2e_lib.figures.leaderboard import duels, tried
    from nem2e_lib.figures.learning import generalising, learning_curves
    from nem2e_lib.figures.losses import loss_curves
    from nem2e_lib.figures.recording import activations, ground_force, postures, refined_trial
    from nem2e_lib.figures.schematics import framework, network
    from nem2e_lib.figures.spatial import spatial_attention
    from nem2e_lib.figures.style import Drawn
    from nem2e_lib.figures.temporal import temporal_attention
    from nem2e_lib.figures.timing import (
        cocontraction,
        left_out,
        mixed_contrasts,
        normalisation,
        timing_errors,
        timing_overview,
    )
    from nem2e_lib.figures.waveforms import everybody, refined_curves, representative

_FUNCTIONS = {
    "ablations": "forest levels",
    "attention_tests": "agreement error_and_entropy interventions lag_against_delay order_overlap precision",
    "bands": "calibration",
    "changed_inputs": "shortcut",
    "controls": "control_errors following shift_errors shift_maps",
    "cycles": "cycle_timeline cycle_waveforms",
    "errors": "error_boxes ranking",
    "laboratory": (
        "activity_by_cycle beside_laboratory marker_residuals markers_on_model markers_over_time plates_and_feet"
    ),
    "leaderboard": "duels tried",
    "learning": "generalising learning_curves",
    "losses": "loss_curves",
    "recording": "activations ground_force postures refined_trial",
    "schematics": "framework network",
    "spatial": "spatial_attention",
    "style": "Drawn",
    "temporal": "temporal_attention",
    "timing": "cocontraction left_out mixed_contrasts normalisation timing_errors timing_overview",
    "waveforms": "everybody refined_curves representative",
}
_MODULES = (
    "ablations",
    "attention_tests",
    "bands",
    "body",
    "changed_inputs",
    "controls",
    "cycles",
    "errors",
    "fields",
    "laboratory",
    "leaderboard",
    "learning",
    "losses",
    "own_cycles",
    "panels",
    "points",
    "recording",
    "schematics",
    "spatial",
    "style",
    "temporal",
    "timing",
    "waveforms",
)
_HOMES = {name: module for module, names in _FUNCTIONS.items() for name in names.split()}

__all__ = [
    "Drawn",
    "ablations",
    "activations",
    "activity_by_cycle",
    "agreement",
    "attention_tests",
    "bands",
    "beside_laboratory",
    "body",
    "calibration",
    "changed_inputs",
    "cocontraction",
    "control_errors",
    "controls",
    "cycle_timeline",
    "cycle_waveforms",
    "cycles",
    "duels",
    "error_and_entropy",
    "error_boxes",
    "errors",
    "everybody",
    "fields",
    "following",
    "forest",
    "framework",
    "generalising",
    "ground_force",
    "interventions",
    "laboratory",
    "lag_against_delay",
    "leaderboard",
    "learning",
    "learning_curves",
    "left_out",
    "levels",
    "loss_curves",
    "losses",
    "marker_residuals",
    "markers_on_model",
    "markers_over_time",
    "mixed_contrasts",
    "network",
    "normalisation",
    "order_overlap",
    "own_cycles",
    "panels",
    "plates_and_feet",
    "points",
    "postures",
    "precision",
    "ranking",
    "recording",
    "refined_curves",
    "refined_trial",
    "representative",
    "schematics",
    "shift_errors",
    "shift_maps",
    "shortcut",
    "spatial",
    "spatial_attention",
    "style",
    "temporal",
    "temporal_attention",
    "timing",
    "timing_errors",
    "timing_overview",
    "tried",
    "waveforms",
]


__getattr__ = on_first_use(__name__, _HOMES, _MODULES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
