"""AdrenalMNIST3D at 28 x 28 x 28, official split, from scratch: test AUC and accuracy over three seeds.

    POLYCLINIC_DATA=... python benchmarks/medmnist3d.py [adrenalmnist3d] [--seeds 3]

Published (Yang et al., Scientific Data 2023): ResNet-18 with 2.5-D, 3-D and ACS convolutions .718/.772, .827/.721 and
.839/.754, ResNet-50 .732/.763, .828/.745 and .828/.758, auto-sklearn .828/.802, AutoKeras .804/.705. Accuracy is at
probability .5, as published. Data: medmnist.com (CC BY 4.0), laid as volumes/<name>/.
"""

import argparse

from measure import by_repeat, data, measure, row

STUDIES = {"adrenalmnist3d": ("volumes/adrenalmnist3d/adrenalmnist3d.npz", 0.839, 0.802)}
METRICS = ("auroc", "accuracy_at_half")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=1, help="first seed")
    asked = parser.parse_args()
    for name in asked.names or STUDIES:
        table, auc, accuracy = STUDIES[name]
        print(f"\n{name}: goal AUC {auc:.3f}, ACC {accuracy:.3f}")
        seeds = range(asked.first, asked.first + asked.seeds)
        runs = [measure(name, data(table), {"seed = 1": f"seed = {seed}"}) for seed in seeds]
        for model in runs[0].models:
            for metric in METRICS:
                values = [by_repeat(run.models[model], "abnormal", [metric])[metric][0] for run in runs]
                print(row(f"{model} {metric}", values))
        print("minutes:", ", ".join(f"{run.minutes:.1f}" for run in runs), f"peak {runs[-1].gib:.2f} GiB")


if __name__ == "__main__":
    main()
