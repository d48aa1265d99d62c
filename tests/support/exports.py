"""Exports of EMG and force made up in each program's layout: a burst at 4 s in every channel, its truth known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

SECONDS, BURST_S = 8.0, 4.0


def burst(rate_hz: float, seed: int = 0, seconds: float = SECONDS, size: float = 30.0) -> tuple[np.ndarray, np.ndarray]:
    """Time in s, and noise of 20 to 400 Hz that is loudest at 4 s."""
    time = np.arange(int(seconds * rate_hz) + 1) / rate_hz
    noise = np.random.default_rng(seed).normal(size=len(time))
    spectrum, frequency = np.fft.rfft(noise), np.fft.rfftfreq(len(time), 1 / rate_hz)
    spectrum[(frequency < 20) | (frequency > 400)] = 0
    return time, size * np.fft.irfft(spectrum, len(time)) * (0.05 + np.exp(-(((time - BURST_S) / 0.15) ** 2)))


def write(path: Path, lines: Sequence[str], encoding: str = "utf-8") -> Path:
    """Write lines to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def rows(columns: Sequence[np.ndarray], separator: str, form: str = ".9g", first: str = ".5f") -> list[str]:
    """Rows of numbers, the first column in a form of its own; shorter columns end in empty cells."""
    length = max(map(len, columns))
    return [
        separator.join(
            format(column[row], first if index == 0 else form) if row < len(column) else ""
            for index, column in enumerate(columns)
        )
        for row in range(length)
    ]


def comma(lines: Sequence[str]) -> list[str]:
    """The same with decimal commas."""
    return [line.replace(".", ",") for line in lines]


MUSCLES = ("RT SOLEUS (uV)", "RT TIB.ANT. (uV)", "RT BICEPS FEM. (uV)", "RT RECTUS FEM. (uV)")


def noraxon(decimal: str = ",", separator: str = ";", rate_hz: float = 1500.0, stated: str = "1500") -> list[str]:
    """A .csv of MR4: two lines of keys and values, a blank one, labels, columns of words, two of remarks."""
    signals = [burst(rate_hz, seed)[1] for seed in range(len(MUSCLES))]
    time = burst(rate_hz)[0]
    start = f"0{decimal}00000"
    keys = ("type", "begin_time", "frequency", "count", "created with version", "last_name", "record_name")
    told = ("record", start, stated, str(len(time)), "Noraxon myoRESEARCH Software 4.2.22", "Doe", "Walk 1")
    labels = ("time", "Activity", "Marker", *MUSCLES)
    lines = [separator.join(f'"{cell}"' for cell in line) for line in (keys, told)]
    lines += ["", separator.join(f'"{label}"' for label in labels)]
    for row, moment in enumerate(time):
        remark = '"Walk"' if row == 0 else ""
        marker = '"1"' if row == 700 else ""
        numbers = [format(signal[row], ".9g").replace(".", decimal) for signal in signals]
        lines.append(separator.join([format(moment, ".5f").replace(".", decimal), remark, marker, *numbers]))
    return lines


def noraxon_text() -> list[str]:
    """A .txt of an older version: a key a line, and units after commas in the labels."""
    signals = [burst(1500, seed)[1] for seed in range(len(MUSCLES))]
    labels = ["Time,s", *(label.replace(" (", ",").rstrip(")") for label in MUSCLES)]
    head = ["MyoResearch XP", "Name:\tDoe", "Record:\tWalk 1", "Frequency:\t1500", "\t".join(labels)]
    return head + rows([burst(1500)[0], *signals], "\t", ".4f", ".4f")


def sylk(lines: Sequence[str]) -> list[str]:
    """The same as a spreadsheet in symbolic link format."""
    records = ["ID;PWXL;N;E"]
    for y, line in enumerate(lines, start=1):
        for x, cell in enumerate(line.split("\t"), start=1):
            quoted = cell if cell.replace(".", "").lstrip("-").isdigit() else f'"{cell}"'
            records.append(f"C;Y{y};X{x};K{quoted}" if x == 1 else f"C;X{x};K{quoted}")
    return [*records, "E"]


EMGWORKS_HZ = (1925.926, 1259.259)


def emgworks(labels: Sequence[str] = ("X[s]", "X[s]"), missing: str = "", separator: str = ",") -> list[str]:
    """Two sensors, each with its clock; the slower one ends in empty cells."""
    pairs = [burst(rate, seed, size=1e-5) for seed, rate in enumerate(EMGWORKS_HZ)]
    names = ("Avanti sensor 1: EMG 1 R SOL", "Avanti sensor 2: EMG 2 R TA")
    head = separator.join(cell for pair in zip(labels, names, strict=True) for cell in (pair[0], f'"{pair[1]}"'))
    lines = [head]
    for row in range(len(pairs[0][0])):
        found = [format(column[row], ".7g") if row < len(column) else missing for pair in pairs for column in pair]
        lines.append(separator.join(found))
    return lines


DISCOVER_HZ, DISCOVER_ACC_HZ = 1259.2593, 148.1481


def discover(times: bool = False, separator: str = ", ", length: str = "8.0") -> list[str]:
    """Two sensors whose channels have the same name, and an accelerometer at another rate."""
    one, two = burst(DISCOVER_HZ, 0, size=0.1), burst(DISCOVER_HZ, 1, size=0.1)
    acc = burst(DISCOVER_ACC_HZ, 2, size=0.001)
    columns = [one, acc, two]
    names, sensors, rates = ("EMG 1 (mV)", "ACC X (G)", "EMG 1 (mV)"), ("R SOL (1)", "", "R TA (2)"), []
    hertz = (DISCOVER_HZ, DISCOVER_ACC_HZ, DISCOVER_HZ)
    table, labels, above = [], [], []
    for name, sensor, rate, (time, values) in zip(names, sensors, hertz, columns, strict=True):
        if times:
            table.append(time)
            labels.append(f"{name.rpartition(' ')[0]} Time Series (s)")
            above.append(sensor)
            rates.append("")
        table.append(values)
        labels.append(name)
        above.append("" if times else sensor)
        rates.append(f"{rate} Hz")
    head = [
        separator.join(("Application:", "Trigno Discover (1.7.0)")),
        separator.join(("Date/Time:", "4/10/2026 12:13:39 PM")),
        separator.join(("Collection Length (seconds):", length)),
        separator.join(above),
        separator.join(["sensor mode: 55"] * len(above)),
        separator.join(labels),
        separator.join(rates),
    ]
    return head + rows(table, separator, ".6f", ".6f")


def vicon(first: int = 1, separator: str = ",", after: Sequence[str] = (), before: Sequence[str] = ()) -> list[str]:
    """Devices at 2000 Hz under frames at 100 Hz: two EMG channels and the forces of two plates."""
    time, sol = burst(2000, 0, size=1e-5)
    ta = burst(2000, 1, size=1e-5)[1]
    force = np.where((time % 1.1) < 0.6, -700.0, 0.0)
    plate = "Imported AMTI OR6 Series Force Plate #{} - Force"
    names = ["", "", "Imported Delsys Trigno EMG 2.0 - Voltage", "", plate.format(1), "", "", plate.format(2), "", ""]
    labels = ["Frame", "Sub Frame", "R SOL", "R TA", *(["Fx", "Fy", "Fz"] * 2)]
    units = ["", "", "V", "V", *(["N"] * 6)]
    lines = [*before, "Devices", "2000", *(separator.join(line) for line in (names, labels, units))]
    for row in range(len(time)):
        frame, sub = first + row // 20, row % 20
        values = [sol[row], ta[row], 0.0, 0.0, force[row], 0.0, 0.0, 2 * force[row]]
        lines.append(separator.join([str(frame), str(sub), *(format(value, ".6g") for value in values)]))
    return [*lines, "", *after]


TRAJECTORIES = ("Trajectories", "100", ",,Anna:RHEE,,", "Frame,Sub Frame,X,Y,Z", ",,mm,mm,mm", "1,0,1.5,2.5,3.5", "")


def qualisys(labels: str = "", lead: bool = False, more: Sequence[str] = ()) -> list[str]:
    """Analog channels at 1500 Hz; with `lead`, sample and time stand before the channels."""
    time, sol = burst(1500, 0, size=1e-5)
    ta = burst(1500, 1, size=1e-5)[1]
    lines = [
        f"NO_OF_SAMPLES\t{len(time)}",
        "TOT_NO_OF_CHAN\t2",
        "FREQUENCY\t1500",
        "TIME_STAMP\t2026-04-10, 12:13:39",
        "DESCRIPTION\t--",
        "DATA_INCLUDED\tANALOG",
        "CHANNEL_NAMES\tR_SOL\tR_TA",
        "CHANNEL_GAIN\t1\t1",
        *more,
        *([labels] if labels else []),
    ]
    numbers = rows([sol, ta], "\t", ".7g", ".7g")
    return lines + [f"{row + 1}\t{time[row]:.5f}\t{line}" if lead else line for row, line in enumerate(numbers)]


def analog(bits: int = 16, range_mv: int = 10000, generation: int = 2) -> tuple[list[str], np.ndarray]:
    """Counts of an analog card, and the V that they stand for."""
    time, sol = burst(1000, 0, size=1.0)
    counts = np.round(sol / (2 * range_mv / 1000) * 2**bits).astype(int)
    lines = [
        f"File_Type:\tAnalog R/C ASCII\tGeneration#:\t{generation}",
        "Board_Type:\tNational PCI-6071E\tPolarity:\tBipolar",
        "Trial_Name:\twalk1\tTrial#:\t1\tDuration(Sec.):\t8.000000\t#Channels:\t2",
        f"BitDepth:\t{bits}\tPreciseRate:\t1000.000000",
        "",
        "",
        "",
        "",
        "Name\tR SOL\tF1Z\t",
        "Rate\t1000\t1000\t",
        f"Range\t{range_mv}\t{range_mv}\t",
    ]
    lines += [f"{time[row]:.6f}\t{counts[row]}\t{-row % 7}\t" for row in range(len(time))]
    return lines, counts * 2 * range_mv / 1000 / 2**bits


def forces(separator: str = "\t") -> list[str]:
    """Two plates at 500 Hz."""
    names = [f"{axis}{plate}" for plate in (1, 2) for axis in ("FX", "FY", "FZ", "X", "Y", "Z", "MZ")]
    lines = ["[Force Data]", "NumberOfForcePlates=2", "SampleRate=500.000000", "NumberOfSamples=1000"]
    lines.append(separator.join(["#Sample", *names]))
    return lines + [
        separator.join([str(row + 1), *(format(plate * row + axis, ".2f") for plate in (1, 2) for axis in range(7))])
        for row in range(1000)
    ]


def bts(kind: str = "Emg tracks") -> list[str]:
    """Two tracks in V at 1000 Hz."""
    time, sol = burst(1000, 0, size=1e-5)
    ta = burst(1000, 1, size=1e-5)[1]
    lines = [
        "BTS ASCII format",
        "",
        f"Type:         \t{kind}",
        "Measure unit: \tV",
        "",
        "Tracks:       \t2",
        "Frequency:    \t1000 Hz",
        f"Frames:       \t{len(time)}",
        "Start time:   \t0.000",
        "",
        " Frame\t  Time\tRight Soleus\tRight Tibialis anterior\t",
    ]
    return lines + [f"{row + 1:6d}\t{time[row]:8.3f}\t{sol[row]:.7g}\t{ta[row]:.7g}\t" for row in range(len(time))]
