// The page is whole without this, which adds copy buttons, and tabs in place
// of the radio buttons. Those go on deciding what is shown.

function make(name, attributes, text) {
  const element = document.createElement(name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  element.textContent = text;
  return element;
}

let clearing;

function copyButton(place, name) {
  const button = make('button', {'aria-label': 'Copy ' + name}, 'Copy');
  button.onclick = async () => {
    let copied = true;
    try {
      await navigator.clipboard.writeText(place.innerText);
    } catch {
      // Plain HTTP has no clipboard API, but what is selected can be copied.
      getSelection().selectAllChildren(place);
      copied = document.execCommand('copy');
      if (copied) getSelection().empty();
    }
    const said = document.getElementById('said');
    said.textContent = copied ? button.ariaLabel.replace('Copy', 'Copied') :
      'Press Ctrl+C to copy';
    clearTimeout(clearing);
    clearing = setTimeout(() => { said.textContent = '' }, 4000);
  };
  return button;
}

const ip = document.getElementById('ip');
if (ip) ip.after(copyButton(ip, ip.textContent));
const pre = document.querySelector('pre');
pre.before(copyButton(pre, 'JSON'));
const codes = document.querySelectorAll('code');
for (const code of codes) {
  const line = make('div');
  code.replaceWith(line);
  line.append(code, copyButton(code));
}

const panel = document.getElementById('panel');
const list = make('div', {role: 'tablist'});
const radios = [...document.querySelectorAll('[name=tool]')];
const tabs = radios.map((radio, index) => {
  const [label] = radio.labels;
  const attributes = {role: 'tab', id: 'tab' + index, 'aria-controls': 'panel'};
  const tab = make('button', attributes, label.textContent);
  tab.onclick = () => { radio.checked = true; mark() };
  tab.onkeydown = event => {
    const to = {ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: -1};
    if (!(event.key in to)) return;
    event.preventDefault();
    const next = tabs.at(to[event.key] % tabs.length);
    next.focus();
    next.click();
  };
  radio.hidden = true;
  label.remove();
  return tab;
});

function mark() {
  radios.forEach((radio, index) => {
    tabs[index].setAttribute('aria-selected', radio.checked);
    tabs[index].tabIndex = radio.checked ? 0 : -1;
    if (radio.checked) panel.setAttribute('aria-labelledby', tabs[index].id);
  });
  // As much of each command as the tab shows.
  for (const code of codes) {
    code.nextSibling.ariaLabel = 'Copy ' + code.innerText;
  }
}

list.append(...tabs);
radios[0].before(list);
panel.setAttribute('role', 'tabpanel');
// By now a reload has brought back what was chosen.
addEventListener('pageshow', mark);
