"""python3 -m sennit plot DIR -o FILE | python3 -m sennit table DIR..."""

import argparse
import sys

import sennit


def _arguments():
    parser = argparse.ArgumentParser(prog="python3 -m sennit",
                                     description="Draws and tabulates results of sennit-sim.")
    commands = parser.add_subparsers(dest="command", required=True)
    plot = commands.add_parser("plot", help="draw one run: throughput, delay and queues over time")
    plot.add_argument("folder", metavar="DIR", help="folder of a run (with trace.h5)")
    plot.add_argument("-o", "--output", metavar="FILE", default="figure.png",
                      help="PNG (300 dpi), PDF or SVG, by its ending (default: %(default)s)")
    plot.add_argument("--from", dest="begin", type=float, metavar="S", help="begin of the time axis")
    plot.add_argument("--to", dest="end", type=float, metavar="S", help="end of the time axis")
    table = commands.add_parser("table", help="KPIs of all runs below some folders, side by side")
    table.add_argument("folders", metavar="DIR", nargs="+")
    table.add_argument("--csv", action="store_true", help="as comma-separated values")
    return parser.parse_args()


def main():
    arguments = _arguments()
    try:
        if arguments.command == "plot":
            sennit.plot(sennit.read(arguments.folder), arguments.output,
                        begin=arguments.begin, end=arguments.end)
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
