"""Charts that readers touch: functions of tables and results that return a `Chart`, drawn by Vega-Lite.

    from nem2e_lib import charts

    chart = charts.leaderboard(standings, units, synthetic=False)
    chart.data  # exactly what is drawn, tidy; chart.title, chart.alt and chart.caption say it in words

They read no file and write none; `Run.show(chart, name)` puts a chart into the site three times over: as SVG, which
stands where scripts are off, as CSV, and as a script of its data that the page's own script draws. The paper's own
figures are in `nem2e_lib.figures`.

To add one, write a function in the module of its subject that returns `Chart`, and name it here. `chart` has the look
and turns tables into what a page embeds; colours and names of methods are those of `figures.style`.
"""
