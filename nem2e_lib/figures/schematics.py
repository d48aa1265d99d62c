"""Figures 1 and 2: the framework and the two networks, drawn by code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from nem2e_lib.figures.body import draw_body, pose
from nem2e_lib.figures.style import MEASURED, REFINED, SIMULATED, Drawn, new_figure, styled

PALE = {
    "plain": "#eef1f4",
    "network": "#fbe9df",
    "encoder": "#dcecf6",
    "decoder": "#fbe9df",
    "attention": "#fff4d6",
}
EDGE = "#5b6675"
STEPS = ("scaling", "inverse kinematics", "residual reduction", "computed muscle control")


class Sheet:
    """An axis in inches to put boxes and arrows on, which keeps a list of what it drew."""

    def __init__(self, figure: Figure, place: tuple[float, float, float, float]) -> None:
        width, height = figure.get_size_inches()
        self.axis: Axes = figure.add_axes(place)
        self.axis.set(xlim=(0, width * place[2]), ylim=(0, height * place[3]))
        self.axis.set_axis_off()
        self.rows: list[dict[str, str]] = []

    def box(self, x: float, y: float, w: float, h: float, text: str, kind: str = "plain", bold: bool = False) -> None:
        """Draw a box with its text in the middle."""
        style = "round,pad=0,rounding_size=0.08"
        self.axis.add_patch(FancyBboxPatch((x, y), w, h, boxstyle=style, fc=PALE[kind], ec=EDGE, lw=1))
        self.axis.text(
            x + w / 2,
            y + h / 2,
            text,
            ha="center",
            va="center",
            fontsize=9,
            fontweight="bold" if bold else "normal",
        )
        self._note("box", text)

    def arrow(
        self, start: tuple[float, float], end: tuple[float, float], bend: float = 0.0, colour: str = EDGE
    ) -> None:
        """Draw an arrow."""
        style = f"arc3,rad={bend}"
        self.axis.add_patch(
            FancyArrowPatch(
                start, end, arrowstyle="-|>", mutation_scale=11, connectionstyle=style, color=colour, lw=1.2
            )
        )

    def label(
        self, x: float, y: float, text: str, size: float = 8.5, align: str = "center", colour: str = "#222222"
    ) -> None:
        """Write a text."""
        self.axis.text(x, y, text, ha=align, va="center", fontsize=size, color=colour)
        self._note("label", text)

    def wave(self, x: float, y: float, w: float, h: float, centre: float, colour: str) -> None:
        """Draw a schematic burst of activity."""
        t = np.linspace(0, 1, 60)
        self.axis.plot(x + w * t, y + h * np.exp(-(((t - centre) / 0.16) ** 2)), color=colour, lw=2)
        self.axis.plot([x, x + w], [y, y], color="#9aa3ad", lw=0.8)

    def _note(self, kind: str, text: str) -> None:
        self.rows.append({"kind": kind, "text": text.replace("\n", " ")})


@styled
def framework() -> Drawn:
    """Draw Figure 1: motion and ground reaction force through OpenSim and STDR-Net to refined activity.

    Source: Teramae et al. (2025), Figure 1 and section 3.1.1; our own drawing.
    """
    title = "Figure 1. From motion to refined muscle activity"
    figure = _bare(3.5, title)
    sheet = Sheet(figure, (0, 0, 1, 0.9))
    _runner(figure)
    sheet.label(0.95, 0.2, "motion and ground\nreaction force")
    sheet.box(2.25, 0.25, 2.4, 2.65, "", "plain")
    sheet.label(3.45, 2.68, "OpenSim", 10)
    for i, step in enumerate(STEPS):
        y = 2.1 - 0.55 * i
        sheet.box(2.42, y, 2.06, 0.4, f"{i + 1}  {step}", "encoder")
        if i:
            sheet.arrow((3.45, y + 0.55), (3.45, y + 0.4))
    sheet.arrow((1.75, 1.55), (2.22, 1.55))
    _wave_box(sheet, 5.15, "simulated activation", 0.42, SIMULATED)
    sheet.arrow((4.68, 1.55), (5.12, 1.55))
    sheet.box(7.1, 0.95, 1.75, 1.2, "STDR-Net\nSeq2Seq with\nattention", "network", bold=True)
    sheet.arrow((6.62, 1.55), (7.07, 1.55))
    _wave_box(sheet, 9.35, "refined activation", 0.58, REFINED)
    sheet.arrow((8.88, 1.55), (9.32, 1.55))
    sheet.wave(9.52, 1.1, 1.16, 0.78, 0.64, MEASURED)
    sheet.label(10.1, 0.6, "compared with\nmeasured EMG (black)")
    sheet.label(7.97, 0.6, "corrects timing (temporal) and\nsharing between muscles (spatial)")
    alt = (
        f"Motion and ground reaction force enter OpenSim ({', '.join(STEPS)}); its simulated activation "
        "enters STDR-Net, which gives the refined activation that is compared with measured EMG."
    )
    return Drawn(figure, pd.DataFrame(sheet.rows), title, alt, alt)


def _bare(height: float, title: str) -> Figure:
    figure = new_figure(height, title, legend_rows=0)
    figure.set_layout_engine("none")
    return figure


def _runner(figure: Figure) -> None:
    axis = figure.add_axes((0.012, 0.12, 0.145, 0.74))
    draw_body(axis, pose(0, "running"))
    axis.annotate("", (0.3, 0.62), (0.3, 0.0), arrowprops={"arrowstyle": "-|>", "color": "#009E73", "lw": 2})
    axis.set(xlim=(-0.66, 0.66), ylim=(-0.05, 1.95), aspect="equal")
    axis.set_axis_off()


def _wave_box(sheet: Sheet, x: float, text: str, centre: float, colour: str) -> None:
    sheet.box(x, 0.95, 1.47, 1.2, "", "plain")
    sheet.wave(x + 0.17, 1.1, 1.16, 0.85, centre, colour)
    sheet.label(x + 0.73, 2.33, text, 9)


@styled
def network() -> Drawn:
    """Draw Figure 2: encoder, decoder and attention, (a) over samples and (b) over muscles.

    Source: Teramae et al. (2025), Figure 2 and section 3.1.2; Luong et al. (2015); our own drawing.
    """
    title = "Figure 2. STDR-Net: LSTM encoder and decoder with Luong attention"
    figure = _bare(4.5, title)
    rows = []
    for i, (heading, tokens, below) in enumerate(
        (
            (
                "(a) temporal attention: One-Quarter, One-Entire",
                ("x_1", "x_2", "", "x_n"),
                "tokens: samples of the target muscle in time",
            ),
            (
                "(b) spatial attention: All-Entire",
                ("m_1", "m_2", "", "m_M"),
                "tokens: muscles, each with its 20-sample waveform",
            ),
        )
    ):
        sheet = Sheet(figure, (0.5 * i, 0, 0.5, 0.92))
        _seq2seq(sheet, heading, tokens, below)
        rows += [{"panel": "ab"[i], **row} for row in sheet.rows]
    alt = (
        "Two networks of the same form. An LSTM encoder reads tokens, an LSTM decoder writes the refined "
        "samples one after "
        "another; at each step attention weights the encoder's states h_s by their score against the "
        "decoder's state h_t and "
        "adds their mean to it. (a) The tokens are samples in time of the target muscle: weights are "
        "time by time. (b) The tokens are muscles: weights are muscle by time."
    )
    return Drawn(figure, pd.DataFrame(rows), title, alt, alt)


def _seq2seq(sheet: Sheet, heading: str, tokens: Sequence[str], below: str) -> None:
    sheet.axis.text(0.12, 3.92, heading, fontsize=9.5, fontweight="bold", va="center")
    inputs = [0.25 + 0.62 * i for i in range(4)]
    outputs = [3.05 + 0.62 * i for i in range(4)]
    _chain(sheet, inputs, "encoder", ["h_s" if t else "" for t in tokens])
    _chain(sheet, outputs, "decoder", ["h_t", "h_t", "", "h_t"])
    sheet.arrow((2.52, 1.4), (3.03, 1.4))
    for i, (x, token) in enumerate(zip(inputs, tokens, strict=True)):
        if token:
            _token(sheet, x, token, waveform=0.3 + 0.15 * i if "m" in token else None)
    for x, name in zip(outputs, ("1", "2", "", "20"), strict=True):
        if name:
            sheet.arrow((x + 0.2, 1.62), (x + 0.2, 3.2 if name != "2" else 2.38))
            sheet.label(x + 0.2, 3.34, rf"$\hat{{y}}_{{{name}}}$", 10)
    _attention(sheet, inputs, outputs[1])
    sheet.label(0.25, 0.22, below, align="left")
    sheet.label(outputs[0], 0.85, "each step reads the output before it", align="left")
    sheet.label(outputs[0], 3.65, "refined activity of the target muscle", align="left")


def _chain(sheet: Sheet, places: Sequence[float], kind: str, states: Sequence[str]) -> None:
    for i, (x, state) in enumerate(zip(places, states, strict=True)):
        if state:
            sheet.box(x, 1.2, 0.4, 0.4, f"${state}$", kind)
        else:
            sheet.label(x + 0.2, 1.4, "…", 12)
        if i < len(places) - 1:
            sheet.arrow((x + 0.41, 1.4), (x + 0.62, 1.4))


def _token(sheet: Sheet, x: float, name: str, waveform: float | None) -> None:
    sheet.arrow((x + 0.2, 0.95), (x + 0.2, 1.18))
    if waveform is None:
        sheet.label(x + 0.2, 0.8, f"${name}$", 10)
    else:
        sheet.wave(x, 0.68, 0.4, 0.22, waveform, SIMULATED)
        sheet.label(x + 0.2, 0.52, f"${name}$", 10)


def _attention(sheet: Sheet, encoder: Sequence[float], decoder: float) -> None:
    gold, brown = "#b58900", "#7a5c00"
    sheet.box(0.85, 2.4, 1.65, 0.5, "attention  $a_t$", "attention")
    for x in encoder:
        sheet.arrow((x + 0.2, 1.64), (1.0 + 0.45 * x, 2.38), colour=gold)
    sheet.arrow((decoder + 0.14, 1.64), (2.53, 2.55), colour=gold)
    sheet.label(2.62, 1.95, "score", colour=brown)
    sheet.box(decoder - 0.22, 2.4, 0.84, 0.4, "tanh", "decoder")
    sheet.arrow((decoder + 0.2, 2.81), (decoder + 0.2, 3.2))
    sheet.arrow((2.52, 2.78), (decoder - 0.25, 2.68), bend=-0.2, colour=gold)
    sheet.label(2.72, 3.05, "context $c_t$", colour=brown)
    sheet.label(0.12, 3.65, "attention and tanh are shown for one step", align="left")
