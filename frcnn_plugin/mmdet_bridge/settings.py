"""mmdet's ``train_cfg`` and ``test_cfg``, read for our parts."""

from ..ops import nms_settings
from ..registry import MODELS


def part_settings(part: dict, train_cfg: dict | None, test_cfg: dict | None,
                  name: str) -> dict:
    """A part's config with the detector's settings, where it has none of its own.

    Args:
        part: Config of a head, ours or mmdet's.
        train_cfg: The detector's; for the RPN its ``rpn_proposal`` is put beside the
            settings of ``rpn``.
        test_cfg: The detector's.
        name: ``'rpn'`` or ``'rcnn'``.
    """
    train_cfg = train_cfg or {}
    settings = dict(train_cfg=train_cfg.get(name), test_cfg=(test_cfg or {}).get(name))
    if name == 'rpn' and train_cfg.get('rpn_proposal') and hasattr(
            MODELS.get(part['type']), 'run'):  # ours reads it there
        settings['train_cfg'] = {**(settings['train_cfg'] or {}),
                                 'rpn_proposal': train_cfg['rpn_proposal']}
    return {**{key: cfg for key, cfg in settings.items() if cfg is not None}, **part}


def proposal_settings(test_cfg: dict, train_cfg: dict | None = None) -> dict:
    """The config of a ``ProposalCreator`` with the settings of mmdet.

    Args:
        test_cfg: mmdet's ``test_cfg.rpn``: ``nms_pre``, ``max_per_img``,
            ``nms.iou_threshold``, ``min_bbox_size``.
        train_cfg: mmdet's ``train_cfg.rpn_proposal``. Default: ``test_cfg``.

    Raises:
        ValueError: If ``nms`` names another kind than plain NMS.
    """
    _, offset = nms_settings(test_cfg['nms'])
    return dict(type='frcnn_plugin.ProposalCreator', offset=offset,
                test=limits(test_cfg), train=limits(train_cfg or test_cfg))


def limits(cfg: dict) -> dict:
    """The settings of one phase of a ``ProposalCreator``."""
    return dict(nms_pre=cfg.get('nms_pre', -1), max_per_img=cfg.get('max_per_img', -1),
                nms_iou_thr=nms_settings(cfg['nms'])[0],
                min_bbox_size=max(cfg.get('min_bbox_size', 0), 0))
