"""python3 -m sennit plot|limits DIR -o FILE | python3 -m sennit pairs CSV -o FILE
| python3 -m sennit table DIR..."""

import argparse
import sys

import sennit


def _add_output(parser):
    parser.add_argument("-o", "--output", metavar="FILE", default="figure.png",
                        help="PNG, PDF or SVG, by its ending (default: %(default)s)")


def _arguments():
    parser = argparse.ArgumentParser(prog="python3 -m sennit",
                                     description="Draws and tabulates results of sennit-sim.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, words in (("plot", "throughput, delay and queues over time"),
                        ("limits", "what limits it: each link's capacity, rate, load and delay")):
        plot = commands.add_parser(name, help=f"draw one run: {words}")
        plot.add_argument("folder", metavar="DIR", help="folder of a run (with trace.h5)")
        _add_output(plot)
        plot.add_argument("--from", dest="begin", type=float, metavar="S",
                          help="begin of the time axis")
        plot.add_argument("--to", dest="end", type=float, metavar="S", help="end of the time axis")
    pairs = commands.add_parser("pairs", help="draw sweep.csv of scripts/goals.sh --sweep")
    pairs.add_argument("file", metavar="CSV")
    _add_output(pairs)
    table = commands.add_parser("table", help="KPIs of all runs below some folders, side by side")
    table.add_argument("folders", metavar="DIR", nargs="+")
    table.add_argument("--csv", action="store_true", help="as comma-separated values")
    return parser.parse_args()


def main():
    arguments = _arguments()
    try:
        if arguments.command in ("plot", "limits"):
            draw = sennit.plot if arguments.command == "plot" else sennit.limits
            draw(sennit.read(arguments.folder), arguments.output,
                 begin=arguments.begin, end=arguments.end)
        elif arguments.command == "pairs":
            sennit.pairs(arguments.file, arguments.output)
        else:
            table = sennit.table(arguments.folders)
            print(table.to_csv() if arguments.csv
                  else table.to_string(na_rep="–", float_format="{:.4g}".format))
    except (sennit.TraceError, OSError, ValueError) as error:
        print(f"sennit: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
