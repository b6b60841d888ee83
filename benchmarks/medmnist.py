"""BreastMNIST and PneumoniaMNIST at 28 x 28, official split, from scratch: test AUC and accuracy over three seeds.

    POLYCLINIC_DATA=... python benchmarks/medmnist.py [breastmnist] [pneumoniamnist] [--seeds 3]

Published (Yang et al., Scientific Data 2023): ResNet-18 .901/.863 and .944/.854; the best published on BreastMNIST is
.919/.861 (Google AutoML) and .901/.863, on PneumoniaMNIST .991/.946 (Google AutoML). Accuracy is at probability .5,
as published. Data: medmnist.com (CC BY 4.0), laid as images/<name>/.
"""

import argparse

from measure import by_repeat, data, measure, row

STUDIES = {
    "breastmnist": ("images/breastmnist/breastmnist.npz", 0.901, 0.863),
    "pneumoniamnist": ("images/pneumoniamnist/pneumoniamnist_reassembled.npz", 0.944, 0.854),
}
METRICS = ("auroc", "accuracy_at_half")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    for name in asked.names or STUDIES:
        table, auc, accuracy = STUDIES[name]
        print(f"\n{name}: goal AUC {auc:.3f}, ACC {accuracy:.3f}")
        runs = [measure(name, data(table), {"seed = 1": f"seed = {seed}"}) for seed in range(1, asked.seeds + 1)]
        for model in runs[0].models:
            for metric in METRICS:
                values = [by_repeat(run.models[model], "positive", [metric])[metric][0] for run in runs]
                print(row(f"{model} {metric}", values))
        print("minutes:", ", ".join(f"{run.minutes:.1f}" for run in runs), f"peak {runs[-1].gib:.2f} GiB")


if __name__ == "__main__":
    main()
