"""The same names for the values of different metrics."""

from collections.abc import Mapping

from .box_ap import HIGH, LOW
from .voc_metric import PER_CLASS

SIZES = ('AP_small', 'AP_medium', 'AP_large')
MEANS = ('AP', 'AP75', *SIZES, 'AR100')
OF_MMDET = dict(bbox_mAP='AP', bbox_mAP_50='AP50', bbox_mAP_75='AP75',
                bbox_mAP_s='AP_small', bbox_mAP_m='AP_medium', bbox_mAP_l='AP_large')
OF_A_CLASS = '_precision'  # of mmdet's CocoMetric(classwise=True)


def summarize(metrics: Mapping[str, float]) -> dict:
    """What is measured, by VOC's rules and by COCO's.

    Args:
        metrics: As the evaluator returns them, each with the prefix of its kind, of
            ``VOCMetric``, ``BoxAP`` or mmdet's ``CocoMetric``, or of several.

    Returns:
        dict: ``mAP``, ``AP50`` and ``per_class`` of ``VOCMetric``, or else COCO's (and
        then ``mAP`` and ``per_class`` are the means over IoU 0.50 to 0.95). COCO's
        ``AP``, ``AP75``, ``AP_small``, ``AP_medium``, ``AP_large`` and ``AR100``,
        ``AP50_coco``, and ``AP_per_class``, ``AP50_coco_per_class`` and
        ``AP75_per_class``. ``intervals``: the ends of the 95 % intervals, by name.
        ``all``: the metrics. None for what is not measured or has no ground truth.
    """
    metrics = {name: float(value) for name, value in metrics.items()}
    groups: dict[str, dict[str, float | None]] = {}
    for name, value in metrics.items():
        *prefix, plain = name.split('/', 1)  # mmdet has -1 or NaN without ground truth
        groups.setdefault(''.join(prefix), {})[OF_MMDET.get(plain, plain)] = (
            value if value >= 0 else None)
    voc = next((each for each in groups.values() if 'mAP' in each), {})
    coco = next((each for each in groups.values() if 'AP' in each), {})
    ap = of_classes(coco, 'AP/') | {
        name.removesuffix(OF_A_CLASS): value for name, value in coco.items()
        if name.endswith(OF_A_CLASS)}
    mean = voc.get('mAP', coco.get('AP'))
    return dict(
        mAP=mean, AP50=voc.get('AP50', coco.get('AP50')),
        per_class=of_classes(voc, PER_CLASS) if voc else ap,
        **{name: coco.get(name) for name in MEANS}, AP50_coco=coco.get('AP50'),
        AP_per_class=ap, AP50_coco_per_class=of_classes(coco, 'AP50/'),
        AP75_per_class=of_classes(coco, 'AP75/'),
        intervals={name: [coco[plain + LOW], coco[plain + HIGH]] for name, plain in
                   dict(AP='AP', AP50_coco='AP50', AP75='AP75').items()
                   if plain + LOW in coco},
        all=metrics)


def of_classes(values: Mapping[str, float | None],
               prefix: str) -> dict[str, float | None]:
    """The values of classes, by their names."""
    return {name.removeprefix(prefix): value for name, value in values.items()
            if name.startswith(prefix)}
