"""Data sets in COCO layout that are not as they should be."""

import json

from bad_input.kinds import CLASSES, NAMES, Site, kind

SMALL = ['model.backbone.depth=18', 'model.roi_head.shared_head.depth=18',
         'model.rpn_head.in_channels=256', 'model.rpn_head.feat_channels=32',
         'model.roi_head.bbox_roi_extractor.out_channels=256',
         'model.roi_head.bbox_head.in_channels=512',
         'model.roi_head.bbox_roi_extractor.roi_layer.output_size=7',
         'model.roi_head.target_sampler.num=8', 'train_dataloader.num_workers=0',
         'train_dataloader.persistent_workers=False',
         'train_dataloader.dataset.pipeline.2.scale=(100,80)',
         'val_dataloader.num_workers=0', 'val_dataloader.persistent_workers=False']


def train(site: Site, change=lambda content: None) -> list[str]:
    """Arguments for training on the site's images with annotations of COCO."""
    root = site.folder / 'coco'
    (root / 'annotations').mkdir(parents=True)
    for split in ('train2017', 'val2017'):
        (root / split).symlink_to(site.root / 'JPEGImages')
        content = dict(
            images=[dict(id=i, file_name=f'{name}.jpg', width=100, height=80)
                    for i, name in enumerate(NAMES)],
            categories=[dict(id=i, name=name) for i, name in enumerate(CLASSES)],
            annotations=[dict(id=i, image_id=i // 2, category_id=i % 2, iscrowd=0,
                              bbox=[10, 10, 50, 50], area=2500) for i in range(8)])
        text = change(content)
        (root / f'annotations/instances_{split}.json').write_text(
            text or json.dumps(content))
    return [str(site.configs / 'frcnn_r50_c4_coco.py'), '--max-iters', '1',
            '--from-scratch', '--data-root', str(root), '--classes', *CLASSES,
            '--work-dir', str(site.work), '--cfg-options', *SMALL]


@kind('COCO: annotations that are missing', 'train', 'annotation file is missing')
def no_json(site: Site):
    arguments = train(site)
    (site.folder / 'coco/annotations/instances_train2017.json').unlink()
    return arguments


@kind('COCO: annotations that end in the middle', 'train', 'not a readable JSON')
def half_json(site: Site):
    return train(site, lambda content: json.dumps(content)[:300])


@kind('COCO: annotations of captions', 'train', 'instances in COCO format')
def captions(site: Site):
    return train(site, lambda content: content.pop('categories') and None)


@kind('COCO: a `file_name` that leads out of the folder', 'train',
      'leads out of the folder')
def leads_out(site: Site):
    return train(site, lambda content: content['images'][0].update(
        file_name='../../secret.jpg'))


@kind('COCO: an image that is missing', 'train', 'the image is missing')
def no_image(site: Site):
    site.image().unlink()
    return train(site)


@kind('COCO: boxes of three numbers and without area', 'train',
      '2 boxes skipped', 0)
def bad_boxes(site: Site):
    def change(content):
        content['annotations'][0]['bbox'] = [1, 2, 3]
        content['annotations'][1]['bbox'] = [1, 2, 0, 9]
    return train(site, change)


@kind('COCO: classes in another order than the categories', 'train',
      'come in another order')
def order(site: Site):
    return train(site, lambda content: content['categories'].reverse())


@kind('COCO: a class that is not there', 'train', 'did you mean dog')
def misspelt(site: Site):
    arguments = train(site)
    arguments[arguments.index('dog')] = 'dogg'
    return arguments
