// Asks for the address of the other family, and puts it where the links to it
// are. Whoever answers anything but such an address leaves them there.
{
  const line = document.getElementById('other');
  const {family} = line.dataset;
  const [link, cell] = document.querySelectorAll('.ask');
  const url = new URL(link.href);
  // A proxy may have hidden from the server which port is asked.
  url.port = location.port;

  const show = text => {
    const address = text.trim();
    const found = /^[\d.]+$/.test(address) ? 'IPv4' :
      /^[\da-f:.]+$/.test(address) ? 'IPv6' : undefined;
    if (found !== family) return;
    const place = make('strong', {class: 'long'}, address);
    link.replaceWith(place);
    place.after(copyButton(place, address));
    cell.replaceWith(address);
  };
  const missing = () => {
    line.textContent = `There is no ${family} here.`;
    cell.replaceWith(`no ${family} here`);
  };
  fetch(url, {signal: AbortSignal.timeout(3000)})
    .then(answer => answer.text())
    .then(show, missing);
}
